/** Time limit of each wait in milliseconds, reached only if the event never comes. */
export const LIMIT = 20_000;

/** Waits for a promise, at most LIMIT. */
export async function soon(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: timed out after ${LIMIT} ms`)),
      LIMIT,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
