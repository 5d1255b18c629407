import { Component, type ReactNode } from 'react'

/** Shows the error that the component threw while rendering, in place of the component. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error?: Error }> {
  override state: { error?: Error } = {}

  static getDerivedStateFromError(error: Error): { error: Error } {
    return { error }
  }

  override render(): ReactNode {
    const { error } = this.state
    return error ? <pre role="alert">{error.message}</pre> : this.props.children
  }
}
