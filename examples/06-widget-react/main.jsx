// React 19 gives elements their properties and listens to their events.
// Where a bundle is put elsewhere than the package, set `model` to where its models are.
//   npm run build && npx vite examples/06-widget-react
import { useRef, useState } from 'react'
import { createRoot } from 'react-dom/client'
import 'minnow-llm/widget/define'

const DELIVERY = 'We ship to France in two days and to Spain in four.'

function Shop() {
  const chat = useRef(null)
  const [last, setLast] = useState('Nothing was asked yet.')
  return (
    <>
      <h1>Delivery</h1>
      <p>{DELIVERY}</p>
      <button type="button" onClick={() => void chat.current.ask('Where do you ship to?')}>
        Where do you ship to?
      </button>
      <p role="status">{last}</p>
      <minnow-chat
        ref={chat}
        label="Ask about delivery"
        context={() => DELIVERY}
        onminnow-answer={({ detail }) => setLast(detail.answer)}
        onminnow-error={({ detail }) => setLast(detail.message)}
      />
    </>
  )
}

createRoot(document.querySelector('#root')).render(<Shop />)
