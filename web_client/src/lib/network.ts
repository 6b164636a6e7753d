/** Not in every browser, nor in the standard library's types. */
export function networkInformation(): EventTarget | undefined {
  return (navigator as Navigator & { connection?: EventTarget }).connection;
}
