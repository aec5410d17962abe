import { rule, type Rule } from "./rule.js";

/** What others see of the script: tools, docstrings, signatures. */
export const INTERFACE_RULES = {
  "tool.undescribed": rule({
    severity: "info",
    title: "Tool without a description",
    why: "By its description a model chooses a tool; one without is not discoverable, or is called for the wrong thing.",
    help: "Give the function a docstring, or a description where it is registered.",
  }),
  "docstring.missing": rule({
    severity: "warning",
    title: "No docstring",
    why: "The policy asks for one, because tools and people know by it what the function is for.",
    help: "Say in a docstring what it does, what it takes and what it returns.",
  }),
  "signature.missing": rule({
    severity: "error",
    title: "Required function is missing",
    why: "Whoever runs the script calls this function by name, and fails without it.",
    help: "Define the function that the policy asks for, at the top level of the module.",
  }),
  "signature.mismatch": rule({
    severity: "error",
    title: "Required function has another signature",
    why: "Whoever runs the script calls this function with fixed arguments, and fails or gets something else.",
    help: "Define the function as the policy asks for it: the same parameters, kinds, annotations and return type.",
  }),
} as const satisfies Record<string, Rule>;
