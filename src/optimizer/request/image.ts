/** The image as a provider takes it: on Kubernetes every image is a container image. */
export function imageFor(provider: string, image: string): string {
  return provider === 'kubernetes' && !image.startsWith('docker:') ? `docker:${image}` : image;
}
