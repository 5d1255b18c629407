import { Component, type ReactNode } from 'react'
import { placeOf } from './error-place.ts'

type State = { error?: Error; place?: string }

/** Shows, in place of the component, the error that it threw while rendering, with the error's file and line. */
export class ErrorBoundary extends Component<{ children: ReactNode }, State> {
  override state: State = {}

  static getDerivedStateFromError(error: Error): State {
    return { error }
  }

  override async componentDidCatch(error: Error): Promise<void> {
    const place = await placeOf(error)
    if (place) this.setState({ place })
  }

  override render(): ReactNode {
    const { error, place } = this.state
    if (!error) return this.props.children
    return <pre role="alert">{place ? `${error.message}\n\n${place}` : error.message}</pre>
  }
}
