declare module "wawoff2/decompress.js" {
  /** A font as it is shaped and cut, of one that was compressed for browsers. */
  function decompress(font: Uint8Array): Promise<Uint8Array>;
  export = decompress;
}
