/** The events of one API. */
export type Events = {
  /** The events before the first token. */
  head: string
  token(text: string): string
  /** The event that says why the text ends: the `finish_reason` or the `stop_reason`. */
  reason: string
  /** The event that ends the stream: `[DONE]` or `message_stop`. */
  end: string
  error: string
  unknown: string
}

/** Chat completions of OpenAI. */
export const OPENAI: Events = {
  head: chunk({ role: 'assistant', content: '' }),
  token: (content) => chunk({ content }),
  reason: chunk({}, 'stop'),
  end: 'data: [DONE]\n\n',
  error: data({ error: { message: 'overloaded', type: 'server_error' } }),
  unknown: `event: ping\n${data({ type: 'ping' })}`,
}

/** Messages of Anthropic. */
export const ANTHROPIC: Events = {
  head:
    event('message_start', {
      message: {
        id: 'msg_1',
        type: 'message',
        role: 'assistant',
        model: 'model',
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: 1, output_tokens: 1 },
      },
    }) + event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
  token: (text) => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } }),
  reason:
    event('content_block_stop', { index: 0 }) +
    event('message_delta', {
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: 2 },
    }),
  end: event('message_stop', {}),
  error: event('error', { error: { type: 'overloaded_error', message: 'overloaded' } }),
  unknown: event('surprise', {}),
}

function chunk(delta: object, finish_reason: string | null = null): string {
  const choices = [{ index: 0, delta, finish_reason }]
  return data({ id: 'c-1', object: 'chat.completion.chunk', created: 0, model: 'model', choices })
}

function event(type: string, fields: object): string {
  return `event: ${type}\n${data({ type, ...fields })}`
}

function data(value: object): string {
  return `data: ${JSON.stringify(value)}\n\n`
}
