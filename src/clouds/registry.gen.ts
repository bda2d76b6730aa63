// Written by npm run gen from the folders of src/clouds.
import type { ProviderModule } from './registry.ts';

export const modules: Readonly<Record<string, () => Promise<ProviderModule>>> = {
  aws: () => import('./aws/provider.ts'),
  fluffycloud: () => import('./fluffycloud/provider.ts'),
  gcp: () => import('./gcp/provider.ts'),
  lambda: () => import('./lambda/provider.ts'),
  ssh: () => import('./ssh/provider.ts'),
};
