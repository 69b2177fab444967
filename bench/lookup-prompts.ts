/**
 * Summarise-and-quote prompts: answers that take much from the prompt, word by word, which is what people ask
 * small models on their own texts for. The texts are ours.
 */
export interface LookupPrompt {
  readonly name: string
  readonly text: string
}

const TIDE_MILL = `The tide mill at Penhallow was built in 1791 by Margery Trewin, a widow who had inherited a \
creek, two boats and a debt. She had a dam laid across the mouth of the creek, so that the rising sea filled the \
pond through a gate that closed by itself when the water turned. For five hours after each high tide the pond \
emptied through the wheel, and the mill ground barley by day or night, whenever the moon allowed. The millers kept \
a tide table nailed to the door and slept in two shifts. The mill stopped in 1938, when the gate was lost in a \
storm. In 2009 a group of neighbours rebuilt the wheel in oak, and since 2014 it has given light to eleven houses.`

const MEETING = `Minutes of the allotment society, 14 March. Present: Ada Osei, Tomasz Lis, Ruth Bell, Jon Prior. \
Water: the standpipe by plot 12 leaks. Tomasz Lis will ask two plumbers for a price before 1 April. Bees: Ruth Bell \
asked for room for two hives behind the shed. Agreed, if a fence of two metres is put up first. Money: the society \
has 1,240 pounds. The rent for the year, 860 pounds, is due on 30 April. Ada Osei will send the bills this week. \
Seeds: Jon Prior will order potatoes and broad beans for everyone who writes to him before 20 March. Next meeting: \
11 April, seven o'clock, in the library.`

const WHALES = `Bowhead whales live in Arctic waters all year round. They can break through ice that is sixty \
centimetres thick with their heads, which take up a third of their length. Bowheads grow slowly and are among the \
longest-lived mammals: stone harpoon points found in whales taken in the 1990s showed that some were more than two \
hundred years old. Their blubber is up to half a metre thick. They feed by swimming with open mouths through \
clouds of tiny crustaceans, which they strain from the water with baleen plates up to four metres long, the longest \
of any whale. Bowheads sing in winter, and each population changes its songs from one year to the next.`

const CODE = `function parseDuration(text) {
  const match = /^(\\d+)(ms|s|m|h)$/.exec(text.trim())
  if (match === null) throw new Error('not a duration: ' + text)
  const amount = Number(match[1])
  const unit = match[2]
  if (unit === 'ms') return amount
  if (unit === 's') return amount * 1000
  if (unit === 'm') return amount * 60 * 1000
  return amount * 60 * 60 * 1000
}`

const RECIPE = `Lentil soup for four. Rinse 250 grams of brown lentils. Chop one onion, two carrots and one stick of \
celery. Warm three spoons of olive oil in a large pot and cook the vegetables for eight minutes over low heat. Add \
two cloves of garlic, one spoon of cumin and a bay leaf, and stir for one minute. Add the lentils and one and a half \
litres of water. Bring to the boil, then simmer for thirty-five minutes with the lid half on. Take out the bay leaf. \
Stir in two spoons of lemon juice, salt and pepper. Serve with parsley and bread.`

const LETTER = `Dear Ms Hallam, thank you for your letter of 3 June about the noise from the workshop. We have \
measured it at your window and found 58 decibels in the morning, which is more than the 50 decibels we promised. \
The cause is the fan on the north wall, whose bearing is worn. A new fan will be fitted on 24 June. Until then the \
fan will run only between ten and four. If you still hear it after 24 June, please call Peter Vance on extension \
416 and he will come on the same day. We are sorry for the trouble. Yours sincerely, Lena Fischer, works manager.`

const BRIDGE = `The rope bridge at Callow Gorge is renewed every spring by the families of four villages. Each family brings \
forty metres of cord twisted from dry grass. On the first day the cords are braided into six heavy cables. \
On the second day men stretch the new cables across the gorge beside the old ones, which are then cut and \
fall into the river. On the third day the floor is woven from sticks and rawhide. Nobody is paid, and nobody \
is allowed to step on the bridge until the oldest weaver has crossed it. The bridge is thirty-one metres \
long and carries about two hundred people a day.`

const LIBRARY = `From 2 May the town library will open at nine instead of ten on weekdays. On Saturdays it stays open until \
four. Books may be kept for four weeks and renewed twice, unless another reader has asked for them. The fine \
for late books is abolished, but readers with books more than eight weeks overdue can't borrow more. The \
reading room on the second floor is closed until 19 May because the roof is being mended. Children under six \
need no card. Questions are answered by Ilse Brandt at the front desk or under extension 22.`

const REPORT = `Quarterly report of the ferry company. Passengers: 48,300, which is six percent more than last year. \
Vehicles: 9,120, three percent fewer. The new ferry Kestrel started service on 11 February and replaced the \
Heron, which was sold for 410,000 pounds. Eleven sailings were cancelled because of storms and two because \
of a broken ramp at Aldern. The ramp was repaired on 3 March. Fuel cost 212,000 pounds, a quarter of all \
expenses. The company plans to test a battery ferry on the short route in the autumn, if the harbour board \
agrees to build a charging station.`

const OCTOPUS = `An octopus has three hearts, and two of them stop when it swims, which is why it prefers to crawl. Two \
thirds of its nerve cells sit in its arms, so that each arm can taste, touch and decide for itself. It \
changes colour in a fifth of a second by opening tiny bags of pigment in its skin, though it probably sees \
no colours. Most octopuses live for only one or two years. The mother guards her eggs for months without \
eating and dies when they hatch. Octopuses in aquariums have learned to open jars, to tell people apart and \
to squirt water at lamps that disturb them.`

const LEASE = `The tenant shall pay a monthly rent of 640 pounds on the third working day of each month. The deposit is \
1,280 pounds and will be returned within thirty days after the end of the lease. Repairs that cost less than \
75 pounds are paid by the tenant. The tenant may keep one cat or one small dog with the written consent of \
the landlord. Smoking is not allowed inside the flat. Either party may end the lease by giving three months' \
notice in writing. The landlord may enter the flat only after giving notice of at least two days, except in \
an emergency.`

const LOOP = `function groupByYear(events) {
  const groups = {}
  for (let i = 0; i <= events.length; i++) {
    const year = events[i].date.getFullYear()
    if (!groups[year]) {
      groups[year] = []
    }
    groups[year].push(events[i])
  }
  return groups
}`

export const LOOKUP_PROMPTS: readonly LookupPrompt[] = [
  {
    name: 'tide-mill',
    text: `${TIDE_MILL}\n\nSummarise the text above in one sentence. Then quote, word for word, the sentences that say how the mill worked.`,
  },
  {
    name: 'whales',
    text: `${WHALES}\n\nQuote the sentences of this text, word for word, that say how old the whales get and what they eat.`,
  },
  {
    name: 'minutes',
    text: `${MEETING}\n\nList what each person will do, in the words of the minutes.`,
  },
  {
    name: 'code',
    text: `${CODE}\n\nRepeat this function with days ('d') added as a unit. Change nothing else.`,
  },
  {
    name: 'recipe',
    text: `${RECIPE}\n\nWrite the steps of this recipe as a numbered list, in its own words.`,
  },
  {
    name: 'letter',
    text: `${LETTER}\n\nSay in one sentence what the letter is about. Then quote the sentences that say what will be done and when.`,
  },
  {
    name: 'bridge',
    text: `Answer with the passage of the text that holds the answer. Question: Who may cross the bridge first?\n\nText: ${BRIDGE}`,
  },
  {
    name: 'library',
    text: `${LIBRARY}\n\nExtract these fields as JSON: opening_hour_weekdays, closing_hour_saturday, loan_weeks, reading_room_closed_until, contact.`,
  },
  {
    name: 'report',
    text: `${REPORT}\n\nSummarise the report for the board in three sentences. Then quote what it says about the battery ferry.`,
  },
  {
    name: 'octopus',
    text: `${OCTOPUS}\n\nSummarise the text above in one sentence. Then quote the most surprising sentence.`,
  },
  {
    name: 'lease',
    text: `${LEASE}\n\nTurn this lease into a numbered list of rules in the same words.`,
  },
  {
    name: 'loop',
    text: `This function fails at the last event. Fix it and give me the whole function:\n\n${LOOP}`,
  },
]
