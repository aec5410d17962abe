import type { SyntaxNode } from "../structure/types.js";
import type { Variable } from "./names.js";
import { newVariable } from "./scope.js";
import { ANYTHING, NOTHING, union, type Value, type Values } from "./values.js";

/**
 * The way of a node's or a variable's values, of what is in them `depth` levels down, or of an attribute of them, into a variable.
 */
export interface Flow {
  readonly from: SyntaxNode | Variable;
  readonly variable: Variable;
  readonly depth: number;
  readonly attribute: string | null;
  /** Lets only modules pass, and what holds or gives them. */
  readonly onlyCarriers?: boolean;
}

/** What looks at a variable and so must look again when it changes. */
export type User = SyntaxNode | Flow;

/** How values come about: the rules of Python, of which the graph itself knows nothing. */
export interface Transfer {
  /** What a node may stand for, by what the nodes below it and the variables it uses stand for now. */
  evaluate(node: SyntaxNode): Values;
  attributeOf(base: Values, name: string, user: User): Values;
  /** Whether a value is a module that matters, or holds or gives one. */
  carries(value: Value, user: User): boolean;
}

interface State {
  /** `undefined`: nothing was given to it. */
  held: Values | undefined;
  readonly users: Set<User>;
}

/** A variable with more containers than this has them merged. */
const MOST_CONTAINERS = 8;
const STEPS_PER_NODE = 40;

/**
 * Values on their way through a module: from nodes into variables, from variables to the nodes that use them, until nothing
 * changes any more. The sets of values only grow and are limited, and so is the number of steps.
 */
export class FlowGraph {
  readonly #transfer: Transfer;
  readonly #nodes: readonly SyntaxNode[];
  /** By the index of a node. */
  readonly #values: Values[];
  readonly #states = new Map<Variable, State>();
  /** By the index of the node that they come from. */
  readonly #flows: (Flow[] | undefined)[];
  readonly #linked = new Map<SyntaxNode, Set<Variable>>();
  readonly #elements = new Map<SyntaxNode, Variable>();
  readonly #queue: User[] = [];
  readonly #queued = new Set<User>();

  /** @param nodes - all of a module, which until they are evaluated can be anything */
  constructor(transfer: Transfer, nodes: readonly SyntaxNode[]) {
    this.#transfer = transfer;
    this.#nodes = nodes;
    this.#values = nodes.map(() => ANYTHING);
    this.#flows = nodes.map(() => undefined);
  }

  /** What a node may stand for, as far as is known now. */
  values(node: SyntaxNode): Values {
    return this.#values[node.index]!;
  }

  /** What a variable may stand for, as far as is known now. */
  held(variable: Variable): Values {
    return this.#states.get(variable)?.held ?? NOTHING;
  }

  /** What a tuple, list, set or dictionary may hold. */
  elements(container: SyntaxNode): Values {
    const variable = this.#elements.get(container);
    return (variable && this.#states.get(variable)?.held) ?? ANYTHING;
  }

  /** What may be put into a container is not known. */
  spoil(container: SyntaxNode): void {
    const variable = this.#elements.get(container);
    if (variable) this.give(variable, ANYTHING);
  }

  /** Lets the values of a node, or what is in them, become elements of a container. */
  put(from: SyntaxNode, container: SyntaxNode, depth: number): void {
    const variable = this.#elements.get(container);
    if (variable) this.link(from, variable, depth);
  }

  /** Makes a node a container, whose elements' values are put into the variable that comes back. */
  makeContainer(node: SyntaxNode): Variable {
    let elements = this.#elements.get(node);
    if (!elements) {
      elements = newVariable("element");
      this.#elements.set(node, elements);
    }
    return elements;
  }

  isContainer(node: SyntaxNode): boolean {
    return this.#elements.has(node);
  }

  /** Evaluates every node once, then whatever changed, to the end. Returns `false` when it took too many steps. */
  run(): boolean {
    let count = 0;
    inEvaluationOrder(this.#nodes, (node) => {
      count++;
      this.#values[node.index] = this.#transfer.evaluate(node);
      this.#passOn(node);
    });
    let steps = count * STEPS_PER_NODE + 1000;
    for (let user = this.#queue.pop(); user; user = this.#queue.pop()) {
      this.#queued.delete(user);
      if (--steps < 0) return false;
      if ("variable" in user) this.#pass(user);
      else this.#update(user);
    }
    return true;
  }

  /** Adds values to a variable. */
  give(variable: Variable, values: Values): void {
    const state = this.#stateOf(variable);
    const before = state.held ?? NOTHING;
    if (values.every((value) => before.includes(value))) return;
    const after = union(before, this.#mergeContainers(before, values));
    if (after === before) return;
    state.held = after;
    for (const user of state.users) this.#again(user);
  }

  /** The values of a variable now; the user is asked again whenever there are more. */
  use(variable: Variable, user: User): Values {
    const state = this.#stateOf(variable);
    state.users.add(user);
    return state.held ?? NOTHING;
  }

  #stateOf(variable: Variable): State {
    let state = this.#states.get(variable);
    if (!state) this.#states.set(variable, (state = { held: undefined, users: new Set() }));
    return state;
  }

  /** Lets a flow begin: one from a node when that is evaluated for the first time. */
  follow(flow: Flow): void {
    if (isVariable(flow.from)) return this.#pass(flow);
    (this.#flows[flow.from.index] ??= []).push(flow);
  }

  /** Lets the values of a node flow into a variable from now on. */
  link(from: SyntaxNode, variable: Variable, depth: number): void {
    let linked = this.#linked.get(from);
    if (!linked) this.#linked.set(from, (linked = new Set()));
    if (linked.has(variable)) return;
    linked.add(variable);
    const flow = { from, variable, depth, attribute: null };
    this.follow(flow);
    this.#pass(flow);
  }

  /**
   * What iterating over the values, or subscripting them, may give. What has no elements that are known stands for itself, so
   * that a module is followed through the pairs of `items()` and the like.
   */
  elementsOf(values: Values, user: User): Values {
    let result = NOTHING;
    for (const value of values) {
      const elements = value.kind === "container" ? this.#elements.get(value.node) : undefined;
      if (elements) result = union(result, this.use(elements, user));
      else result = union(result, isItself(value) ? [value] : ANYTHING);
    }
    return result;
  }

  #update(node: SyntaxNode): void {
    const before = this.values(node);
    const after = union(before, this.#transfer.evaluate(node));
    if (after === before) return;
    this.#values[node.index] = after;
    this.#passOn(node);
    const user = consumer(node);
    this.#again(user);
    // A call of a method looks at the object, too, whose attribute may not have changed.
    const isMethod = user.type === "attribute" && user.field === "function";
    if (user.parent && isMethod && user.children[0] === node) this.#again(user.parent);
  }

  #passOn(node: SyntaxNode): void {
    const flows = this.#flows[node.index];
    if (flows) for (const flow of flows) this.#pass(flow);
  }

  #pass(flow: Flow): void {
    const { from } = flow;
    let passed = isVariable(from) ? this.use(from, flow) : this.values(from);
    for (let i = 0; i < flow.depth; i++) passed = this.elementsOf(passed, flow);
    if (flow.attribute !== null) {
      passed = this.#transfer.attributeOf(passed, flow.attribute, flow);
    }
    if (flow.onlyCarriers) passed = passed.filter((value) => this.#transfer.carries(value, flow));
    this.give(flow.variable, passed);
  }

  /** Once a variable holds many containers, further ones give their elements to the first instead. */
  #mergeContainers(held: Values, added: Values): Values {
    if (held.length < MOST_CONTAINERS) return added;
    const containers = held.flatMap((value) => (value.kind === "container" ? [value.node] : []));
    const elements = containers[0] && this.#elements.get(containers[0]);
    if (!elements || containers.length < MOST_CONTAINERS) return added;
    return added.filter((value) => {
      if (value.kind !== "container" || containers.includes(value.node)) return true;
      this.link(value.node, elements, 1);
      return false;
    });
  }

  #again(user: User): void {
    if (this.#queued.has(user)) return;
    this.#queued.add(user);
    this.#queue.push(user);
  }
}

function isVariable(from: Flow["from"]): from is Variable {
  return "bindings" in from;
}

function isItself(value: Value): boolean {
  if (value.kind === "path") return value.isModule;
  return value.kind !== "string" && value.kind !== "namespace";
}

/** The node that looks at this one's values: its parent, past what only groups arguments. */
function consumer(node: SyntaxNode): SyntaxNode {
  let parent = node.parent ?? node;
  while (parent.parent && (parent.type === "argument_list" || parent.type === "keyword_argument"))
    parent = parent.parent;
  return parent;
}

/** Calls back for every named node, what it is made of before it, in order of place. */
function inEvaluationOrder(nodes: readonly SyntaxNode[], visit: (node: SyntaxNode) => void): void {
  const open: SyntaxNode[] = [];
  for (const node of nodes) {
    if (!node.isNamed) continue;
    while (open.length > 0 && open.at(-1) !== node.parent) visit(open.pop()!);
    open.push(node);
  }
  while (open.length > 0) visit(open.pop()!);
}
