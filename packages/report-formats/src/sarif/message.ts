import type { Message } from "sarif";

/**
 * A plain-text message (SARIF 2.1.0, §3.11): braces are doubled, since a single one would start a placeholder, and what a script
 * wrote cannot become a link.
 */
export function toMessage(text: string): Message & { text: string } {
  const sentence = /[.!?…]$/.test(text) ? text : `${text}.`;
  return {
    text: sentence.replaceAll(/[{}]/g, (brace) => brace + brace).replaceAll("](", "] ("),
  };
}
