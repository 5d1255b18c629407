/** Goes to a slide and returns the elements that overflow it or their scroll container. Runs in the page. */
export async function outsideOfSlide({ h, v }: { h: number; v: number }): Promise<string[]> {
  const chapter = document.querySelectorAll('.slides > section')[h]!
  const slide = chapter.querySelectorAll(':scope > section')[v]!
  location.hash = `#/${h}/${v}`
  // A wire's chart appears when its recording has loaded.
  const isShown = (): boolean =>
    slide.matches('.present > .present') && !slide.querySelector('.picture:not(:has(canvas))')
  while (!isShown()) await new Promise(requestAnimationFrame)

  const { top, left, right, bottom } = slide.getBoundingClientRect()
  return (
    [...slide.querySelectorAll('*')]
      // Of a long arrival, a slide shows only the beginning.
      .filter((each) => !each.closest('.notes, .uplot, .bytes'))
      .filter((each) => {
        const box = each.getBoundingClientRect()
        return (
          box.top < top - 1 ||
          box.left < left - 1 ||
          box.right > right + 1 ||
          box.bottom > bottom + 1 ||
          (each.scrollWidth > each.clientWidth + 1 &&
            getComputedStyle(each).overflowX !== 'visible')
        )
      })
      .map((each) => each.outerHTML.slice(0, 80))
  )
}
