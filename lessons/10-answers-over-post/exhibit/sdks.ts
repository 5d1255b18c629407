import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'

export type Reader = (url: string) => Promise<string>
const KEY = { apiKey: 'none', maxRetries: 0 }
const messages = [{ role: 'user' as const, content: 'Hello?' }]

export async function openaiForAwait(url: string): Promise<string> {
  const client = new OpenAI({ ...KEY, baseURL: url })
  let text = ''
  try {
    const stream = await client.chat.completions.create({ model: 'm', stream: true, messages })
    for await (const chunk of stream) {
      text += chunk.choices?.[0]?.delta.content ?? (chunk.choices ? '' : '??')
      if (url.includes('abort') && text === 'Hello') stream.controller.abort()
    }
    return `ok ${text}`
  } catch (error) {
    return `throws ${text} ${(error as Error).name} ${(error as Error).message}`
  }
}
export async function openaiStream(url: string): Promise<string> {
  const client = new OpenAI({ ...KEY, baseURL: url })
  let text = ''
  try {
    const stream = client.chat.completions.stream({ model: 'm', messages })
    stream.on('content', (delta) => {
      text += delta
      if (url.includes('abort') && text === 'Hello') stream.abort()
    })
    const final = await stream.finalChatCompletion()
    return `ok ${text} ${final.choices[0]?.message.content}`
  } catch (error) {
    return `throws ${text} ${(error as Error).constructor.name} ${(error as Error).message}`
  }
}
export async function anthropicFinalMessage(url: string): Promise<string> {
  const client = new Anthropic({ ...KEY, baseURL: url })
  let text = ''
  try {
    const stream = client.messages.stream({ model: 'm', max_tokens: 10, messages })
    stream.on('text', (delta) => {
      text += delta
      if (url.includes('abort') && text === 'Hello') stream.abort()
    })
    const final = await stream.finalMessage()
    const [first] = final.content
    return `ok ${text} final ${first?.type === 'text' && first.text}`
  } catch (error) {
    return `throws ${text} ${(error as Error).constructor.name} ${(error as Error).message}`
  }
}
