/**
 * Calls an embedder's listener, if there is one. What it throws takes no answer from the user: it is reported as the error
 * of any event listener.
 */
export function tell<T extends unknown[]>(listener: ((...told: T) => void) | undefined, ...told: T): void {
  try {
    listener?.(...told)
  } catch (error) {
    // Browsers have it; what a server does with an uncaught error is too much for this.
    const { reportError } = globalThis as { reportError?: (error: unknown) => void }
    reportError?.(error)
  }
}
