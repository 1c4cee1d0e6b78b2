/** Milliseconds each wait may take: reached only when it is for what never comes. */
export const LIMIT = 20_000;

/** Waits for what must come. */
export async function soon(what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`${what}: not within ${LIMIT} ms`)),
      LIMIT,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
