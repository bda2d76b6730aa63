// Written by npm run gen from the folders of src/clouds.
export const PROVIDERS: readonly string[] = ['aws', 'fluffycloud', 'gcp', 'lambda', 'ssh'];
