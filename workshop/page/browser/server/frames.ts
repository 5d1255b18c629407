/**
 * The page came with a policy that names what it may show in a frame. When another lesson was chosen since, that is
 * out of date: it comes anew with the page.
 */
export function allowFrames(): void {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective !== 'frame-src') return
    // If that does not help, nothing will.
    if (sessionStorage.getItem('frame') === blockedURI) return
    sessionStorage.setItem('frame', blockedURI)
    location.reload()
  })
}
