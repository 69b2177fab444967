// What a page can do with the widget's events; it works without any of this.
const last = document.querySelector('#last')

document.addEventListener('minnow-answer', ({ detail }) => {
  last.textContent = `Answered with ${detail.answer.length} characters by ${detail.route?.source.model ?? 'nobody'}.`
})
document.addEventListener('minnow-error', ({ detail }) => {
  last.textContent = `Failed (${detail.code}): ${detail.message}`
})
