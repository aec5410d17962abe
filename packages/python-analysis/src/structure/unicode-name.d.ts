declare module "unicode-name" {
  export function unicodeBaseName(codePoint: number): string | undefined;
  export function unicodeAliases(codePoint: number): Record<string, string[]> | undefined;
}
