import type { PresetCase } from './cases'

function code(text: string, ...wanted: string[]): PresetCase {
  return { values: { text }, wanted }
}

/** Code and errors, and what an explanation must name ("a|b" is either). */
export const EXPLAIN_CASES: readonly PresetCase[] = [
  code('total = sum(prices)', 'sum|add|total', 'prices'),
  code('if age >= 18:\n    print("adult")', 'age', '18', 'adult|print'),
  code('with open("notes.txt") as file:\n    text = file.read()', 'open|read', 'notes|file'),
  code('numbers = [n * 2 for n in range(5)]', 'list', 'doubl|multipl|two|2|twice'),
  code('def area(width, height):\n    return width * height', 'function', 'area|width|multipl'),
  code('IndexError: list index out of range', 'index', 'list'),
  code("NameError: name 'totl' is not defined", 'variable|name', 'defined|exist|spell'),
  code("KeyError: 'email'", 'key', 'dictionary|dict|email'),
  code('TypeError: can only concatenate str (not "int") to str', 'string|str', 'number|integer|int'),
  code("ModuleNotFoundError: No module named 'requests'", 'module|package|library', 'install|found'),
  code('IndentationError: expected an indented block', 'indent', 'block|space|line'),
  code('const names = people.map((person) => person.name)', 'array|list', 'name'),
  code('setTimeout(save, 1000)', 'second|1000|millisecond', 'save|function'),
  code('document.querySelector("#menu").hidden = true', 'hid', 'menu'),
  code("TypeError: Cannot read properties of undefined (reading 'length')", 'undefined', 'length|property'),
  code('ReferenceError: user is not defined', 'variable|user', 'defined|declared'),
  code("SyntaxError: Unexpected token '}'", 'bracket|brace|syntax|}', 'token|unexpected|code'),
  code('fetch("/api/items").then((response) => response.json())', 'request|fetch', 'JSON'),
  code("SELECT name FROM customers WHERE city = 'Oslo'", 'name', 'customers', 'Oslo'),
  code('rm notes.txt', 'delet|remov', 'notes|file'),
  code('mkdir photos', 'creat|make', 'directory|folder'),
  code('git push origin main', 'push|upload|send', 'main|remote|repository'),
  code('bash: command not found: nmp', 'command', 'nmp|npm|found|install|typ'),
  code('Permission denied', 'permission|right', 'access|allowed|file'),
  code('npm install lit', 'install', 'lit|package'),
]

function lesson(topic: string, level: string, ...wanted: string[]): PresetCase {
  return { values: { topic, level }, wanted }
}

/** Topics, and what a lesson on them must name ("a|b" is either). */
export const TUTOR_CASES: readonly PresetCase[] = [
  lesson('photosynthesis', 'a pupil', 'light|sun', 'plant', 'carbon dioxide|oxygen|sugar|food|energy'),
  lesson('why it is dark at night', 'a child', 'sun', 'earth', 'turn|spin|rotat'),
  lesson('fractions', 'a pupil', 'part|whole', '/|half|quarter|third'),
  lesson('gravity', 'a child', 'pull|force|fall', 'earth|ground'),
  lesson('the water cycle', 'a pupil', 'evaporat', 'rain|precipitation'),
  lesson('prime numbers', 'a pupil', 'divi', '1|one'),
  lesson('magnets', 'a child', 'attract|pull|push', 'metal|iron|pole'),
  lesson('the heart', 'a child', 'blood', 'pump|beat'),
  lesson('inflation', 'an adult', 'price', 'money|buy|cost'),
  lesson('volcanoes', 'a child', 'lava|magma|rock|hot', 'mountain|erupt|earth'),
  lesson('percentages', 'a pupil', '100|hundred', 'part|%|percent'),
  lesson('electric current', 'a pupil', 'electron|charge|flow', 'wire|circuit|battery|conduct'),
  lesson('dinosaurs', 'a child', 'million|ago|lived|extinct', 'animal|reptile|earth'),
  lesson('budgets', 'an adult', 'money|income', 'spend|expens|save'),
  lesson('adjectives', 'a pupil', 'describ', 'noun|word'),
  lesson('the moon', 'a child', 'earth', 'orbit|around|light|night'),
  lesson('democracy', 'a pupil', 'people|citizen', 'vote|elect|govern'),
  lesson('vaccines', 'an adult', 'immune|disease|body', 'virus|bacteria|protect|germ'),
  lesson('area of a rectangle', 'a pupil', 'multipl|times|length', 'width'),
  lesson('recycling', 'a child', 'paper|plastic|glass|waste|material', 'new|again|reus'),
  lesson('compound interest', 'an adult', 'interest', 'principal|year|money|time'),
  lesson('seasons', 'a pupil', 'tilt|sun|earth', 'summer|winter|spring'),
  lesson('sound', 'a child', 'vibrat|wave', 'air|ear|hear'),
  lesson('synonyms', 'a pupil', 'word', 'same|similar|mean'),
]
