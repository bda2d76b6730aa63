/** A version that cannot be trusted; the one before goes on being used. */
export class CatalogRefused extends Error {
  override readonly name = 'CatalogRefused';
  readonly why: string;

  constructor(why: string) {
    super(`the catalog is refused: ${why}`);
    this.why = why;
  }
}
