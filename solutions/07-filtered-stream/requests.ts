import type { Request, Response } from 'express'

/** A change of an account's rules: the rules to add, and the IDs of the rules to delete. */
export type Change = { add: { value: string; tag?: string }[]; deleteIds: string[] }

/** Returns the token of the header `Authorization: Bearer <token>`, or undefined. */
export function bearerToken(req: Request): string | undefined {
  return /^Bearer +(\S+)$/i.exec(req.get('Authorization') ?? '')?.[1]
}

/**
 * Reads `{ "add": [{ "value", "tag" }], "delete": { "ids": [] } }`, where `add` or `delete` may be missing. Returns undefined
 * if the body is anything else. Does not check the rules or the IDs themselves.
 */
export function readChange(body: unknown): Change | undefined {
  if (!isObject(body)) return undefined
  const { add = [], delete: deletion = { ids: [] } } = body
  if (!Array.isArray(add) || !add.every(isNewRule)) return undefined
  if (!isObject(deletion) || !Array.isArray(deletion['ids'])) return undefined
  const { ids: deleteIds } = deletion
  return deleteIds.every((id) => typeof id === 'string') ? { add, deleteIds } : undefined
}

/**
 * Answers with an error in the format of RFC 9457.
 *
 * @param name the last part of the problem's `type`, such as `too-many-connections`
 * @param more further members of the problem, such as `errors`
 */
export function sendProblem(
  res: Response,
  status: number,
  name: string,
  detail: string,
  more: object = {},
): void {
  const type = `https://tremor.example/problems/${name}`
  const title = name.replaceAll('-', ' ')
  res
    .status(status)
    .type('application/problem+json')
    .json({ type, title, status, detail, ...more })
}

function isNewRule(rule: unknown): rule is Change['add'][number] {
  return isObject(rule) && typeof rule['value'] === 'string' && isTag(rule['tag'])
}

function isTag(tag: unknown): boolean {
  return tag === undefined || typeof tag === 'string'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
