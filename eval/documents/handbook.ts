/** A text of our own with questions: which section answers, and what an answer must name ("a|b" is either; null: it is not in there). */
export const HANDBOOK = `# Willow Court: a guide for residents

## Keys

Every flat gets two keys and one chip for the front door. A lost chip costs 25 euros. New chips are made by the caretaker within two days.

## Caretaker

The caretaker is Mr Osei. His office is beside the laundry. He is there from Monday to Thursday between 7 and 11. In emergencies call 555-0177 at any time.

## Laundry

Four washing machines stand in the basement. A wash costs 1.50 euros and is paid with the laundry card. The room is open from 6 in the morning to 10 at night. Dryers are free on Sundays.

## Rubbish

Paper is collected on Tuesdays, glass on the first Friday of a month, and all other rubbish on Mondays. Old furniture must not be left in the yard: order a truck from the city.

## Bicycles

Bicycles belong in the shed behind house C. Each flat has two places. Bicycles in the stairway are removed after one week.

## Heating

The heating runs from October to April. Radiators are bled by the residents; the caretaker lends the tool for it. If a room stays below 18 degrees, tell the management in writing.

## Quiet hours

From 10 at night to 6 in the morning and on Sundays music must not be heard outside of a flat. Drilling is allowed on weekdays until 7 in the evening.

## Pets

Cats and small animals need no permission. Dogs need a letter of the management. Snakes and other dangerous animals are not allowed.

## Garden

The garden is for all. Barbecues with charcoal are forbidden, electric ones allowed. The flower beds are looked after by the garden group, which meets every second Saturday at 3.

## Parking

There are twelve parking places. A place costs 60 euros a month, and the waiting list is kept by the management. Guests park in Mill Street.

## Playground

The playground is open until 8 in the evening. Sand is changed each spring. Broken toys are put into the red box.

## Lift

The lift carries eight people or 630 kilos. It is checked in March. If it stops, press the yellow button for five seconds and wait.

## Water

Meters are read in December. The water is very hard: clean the tap filters twice a year. Hot water comes from solar panels on the roof of house A.

## Internet

Each flat has a glass-fibre socket in the hall. The contract is made with Lumen Net. Faults are reported at their number 555-0166.

## Post

Parcels that do not fit into the letter box are kept by the kiosk at the corner for ten days. Letters to former residents go back to the postman.

## Moving out

Notice is given three months before, by letter. The flat is handed over clean and painted white. The deposit comes back within eight weeks.

## Guests

Guests may stay for six weeks without being registered. A guest flat in house B can be rented for 35 euros a night; ask the caretaker.

## Fire

Smoke alarms are tested every year by a firm. In a fire take the stairs, never the lift, and meet at the old oak in front of house A.

## Cellar

Each flat has a cellar room with the flat's number. No petrol or gas bottles may be kept there. The light goes out after four minutes.

## Repairs

Small repairs up to 90 euros are paid by the residents. Larger ones are paid by the management, if they are reported at once.
`

export interface HandbookQuestion {
  readonly question: string
  /** The title above the answer; null: the text does not say. */
  readonly section: string | null
  readonly wanted: string
}

const asked = (question: string, section: string | null, wanted: string): HandbookQuestion => ({
  question,
  section,
  wanted,
})

export const QUESTIONS: readonly HandbookQuestion[] = [
  asked('How much does a lost chip cost?', 'Keys', '25'),
  asked('What is the name of the caretaker?', 'Caretaker', 'Osei'),
  asked('Whom do I call in an emergency?', 'Caretaker', '555-0177|Osei|caretaker'),
  asked('What does it cost to wash my clothes?', 'Laundry', '1.50'),
  asked('When are the dryers free?', 'Laundry', 'Sunday'),
  asked('On which day is paper collected?', 'Rubbish', 'Tuesday'),
  asked('Where do I put my bicycle?', 'Bicycles', 'shed'),
  asked('What happens to bikes left in the stairway?', 'Bicycles', 'removed'),
  asked('In which months does the heating run?', 'Heating', 'October'),
  asked('Until when may I drill on weekdays?', 'Quiet hours', '7'),
  asked('Do I need permission for a dog?', 'Pets', 'letter|management'),
  asked('May I keep a snake?', 'Pets', 'not allowed|no'),
  asked('Are charcoal barbecues allowed?', 'Garden', 'forbidden|not allowed|no'),
  asked('When does the garden group meet?', 'Garden', 'Saturday'),
  asked('What is the price of a parking place?', 'Parking', '60'),
  asked('Where can visitors leave their cars?', 'Parking', 'Mill Street'),
  asked('How many people does the lift carry?', 'Lift', 'eight|8'),
  asked('What should I do if the lift stops?', 'Lift', 'yellow'),
  asked('When are the water meters read?', 'Water', 'December'),
  asked('Which company provides the internet?', 'Internet', 'Lumen'),
  asked('Where are large parcels kept?', 'Post', 'kiosk'),
  asked('How long before moving out must I give notice?', 'Moving out', 'three months|3 months'),
  asked('When do I get my deposit back?', 'Moving out', 'eight weeks|8 weeks'),
  asked('What does the guest flat cost a night?', 'Guests', '35'),
  asked('Where do we meet in case of fire?', 'Fire', 'oak'),
  asked('May I store gas bottles in the cellar?', 'Cellar', 'no'),
  asked('Who pays for small repairs?', 'Repairs', 'residents'),
  asked('Where does the hot water come from?', 'Water', 'solar'),
  asked('What colour are the buses of the city?', null, ''),
  asked('Who is the mayor?', null, ''),
  asked('Is there a swimming pool?', null, ''),
  asked('How old is the building?', null, ''),
]
