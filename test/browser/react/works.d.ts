declare module 'virtual:works' {
  /** The solution and each mistake of lesson 3, by name. */
  export const works: Record<
    string,
    () => Promise<{
      useQuakes: typeof import('../../../solutions/03-react/useQuakes.ts').useQuakes
      LiveQuakes: typeof import('../../../solutions/03-react/LiveQuakes.tsx').LiveQuakes
    }>
  >
}
