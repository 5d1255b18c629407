import { SECRET_HEADER, SECRET_NAME } from '../../../../protocol/secret.ts'

/** Posts JSON to the workshop, with the secret that shows that this page sent the request. */
export async function post(path: string, body: unknown): Promise<Response> {
  const response = await postOnce(path, body)
  if (response.status !== 403) return response
  // The workshop has been restarted and has a new secret, which is in the page that it serves now.
  const page = await (await fetch(location.href)).text()
  secret = secretIn(new DOMParser().parseFromString(page, 'text/html'))
  return postOnce(path, body)
}

function postOnce(path: string, body: unknown): Promise<Response> {
  return fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', [SECRET_HEADER]: secret },
    body: JSON.stringify(body),
  })
}

function secretIn(page: Document): string {
  return page.querySelector<HTMLMetaElement>(`meta[name=${SECRET_NAME}]`)?.content ?? ''
}

let secret = secretIn(document)
