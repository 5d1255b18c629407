import Anthropic from '@anthropic-ai/sdk'
import { VERSION as ANTHROPIC_VERSION } from '@anthropic-ai/sdk/version'
import OpenAI from 'openai'
import { VERSION as OPENAI_VERSION } from 'openai/version'

/**
 * Reads an answer with an official SDK. Rejects if the SDK reports an error.
 *
 * @param onText called with the text of each token; returns whether to abort
 */
export type Reader = (baseURL: string, onText: (text: string) => boolean) => Promise<unknown>

/** The ways to read an answer, by the heads of their columns. */
export const READERS: Record<string, Reader> = {
  'openai, for await': async (baseURL, onText) => {
    const stream = await new OpenAI({ ...OPTIONS, baseURL }).chat.completions.create({
      ...QUESTION,
      stream: true,
    })
    for await (const chunk of stream) {
      if (onText(chunk.choices[0]?.delta.content ?? '')) stream.controller.abort()
    }
  },
  'openai, .stream()': (baseURL, onText) => {
    const stream = new OpenAI({ ...OPTIONS, baseURL }).chat.completions.stream(QUESTION)
    stream.on('content', (text) => onText(text) && stream.abort())
    return stream.finalChatCompletion()
  },
  'anthropic, .finalMessage()': (baseURL, onText) => {
    const stream = new Anthropic({ ...OPTIONS, baseURL }).messages.stream({
      ...QUESTION,
      max_tokens: 10,
    })
    stream.on('text', (text) => onText(text) && stream.abort())
    return stream.finalMessage()
  },
}

export const VERSIONS = `openai ${OPENAI_VERSION}, @anthropic-ai/sdk ${ANTHROPIC_VERSION}`

// Without retries, each answer is asked for once.
const OPTIONS = { apiKey: 'none', maxRetries: 0 }
const QUESTION = { model: 'none', messages: [{ role: 'user' as const, content: 'Say hello.' }] }
