declare module 'har-schema' {
  const schemas: Record<string, { $id: string }>
  export default schemas
}
