import type { PresetCase } from './cases'

const SHOP = 'customers(id, name, city, joined)\norders(id, customer_id, product, price, ordered)'
const SCHOOL =
  'teachers(id, name, subject)\npupils(id, name, age, class)\ncourses(id, title, teacher_id, room)'
const LIBRARY = 'books(id, title, author, year, pages)\nloans(id, book_id, member, due)'
const FLEET = 'cars(id, model, colour, year, price)\ndrivers(id, name, car_id, country)'

function query(schema: string, question: string, ...sql: string[]): PresetCase {
  return { values: { schema, question }, wanted: sql }
}

/** Questions with the queries that answer them; the first is the plainest. */
export const SQL_CASES: readonly PresetCase[] = [
  query(SHOP, 'How many customers are there?', 'SELECT COUNT(*) FROM customers'),
  query(SHOP, 'List the names of all customers in Rome.', "SELECT name FROM customers WHERE city = 'Rome'"),
  query(SHOP, 'What is the highest price of an order?', 'SELECT MAX(price) FROM orders'),
  query(SHOP, 'What is the average price of all orders?', 'SELECT AVG(price) FROM orders'),
  query(
    SHOP,
    'Show the products that cost more than 100.',
    'SELECT product FROM orders WHERE price > 100',
    'SELECT DISTINCT product FROM orders WHERE price > 100',
  ),
  query(SHOP, 'How many customers live in each city?', 'SELECT city, COUNT(*) FROM customers GROUP BY city'),
  query(
    SHOP,
    'Which customers ordered a lamp? Give their names.',
    "SELECT customers.name FROM customers JOIN orders ON customers.id = orders.customer_id WHERE orders.product = 'lamp'",
  ),
  query(SHOP, 'List all orders, the most expensive first.', 'SELECT * FROM orders ORDER BY price DESC'),
  query(SCHOOL, 'Who teaches music? Give the names.', "SELECT name FROM teachers WHERE subject = 'music'"),
  query(SCHOOL, 'How many pupils are older than 12?', 'SELECT COUNT(*) FROM pupils WHERE age > 12'),
  query(
    SCHOOL,
    'What is the average age of the pupils in class 6b?',
    "SELECT AVG(age) FROM pupils WHERE class = '6b'",
  ),
  query(
    SCHOOL,
    'List the titles of all courses in room 14.',
    'SELECT title FROM courses WHERE room = 14',
    "SELECT title FROM courses WHERE room = '14'",
  ),
  query(SCHOOL, 'How many pupils are in each class?', 'SELECT class, COUNT(*) FROM pupils GROUP BY class'),
  query(
    SCHOOL,
    'List the names of all pupils in alphabetical order.',
    'SELECT name FROM pupils ORDER BY name',
    'SELECT name FROM pupils ORDER BY name ASC',
  ),
  query(
    SCHOOL,
    'Which courses does the teacher Anna Lind give?',
    "SELECT courses.title FROM courses JOIN teachers ON courses.teacher_id = teachers.id WHERE teachers.name = 'Anna Lind'",
  ),
  query(SCHOOL, 'What is the age of the youngest pupil?', 'SELECT MIN(age) FROM pupils'),
  query(LIBRARY, 'How many books were written after 2000?', 'SELECT COUNT(*) FROM books WHERE year > 2000'),
  query(
    LIBRARY,
    'List the titles of the books by Selma Berg.',
    "SELECT title FROM books WHERE author = 'Selma Berg'",
  ),
  query(
    LIBRARY,
    'Which book has the most pages? Give its title.',
    'SELECT title FROM books ORDER BY pages DESC LIMIT 1',
    'SELECT title FROM books WHERE pages = (SELECT MAX(pages) FROM books)',
  ),
  query(LIBRARY, 'How many pages do all books have together?', 'SELECT SUM(pages) FROM books'),
  query(LIBRARY, 'Show all authors, each once.', 'SELECT DISTINCT author FROM books'),
  query(
    LIBRARY,
    'How many books has each author written?',
    'SELECT author, COUNT(*) FROM books GROUP BY author',
  ),
  query(
    LIBRARY,
    'Which titles are on loan to Kim?',
    "SELECT books.title FROM books JOIN loans ON books.id = loans.book_id WHERE loans.member = 'Kim'",
  ),
  query(FLEET, 'How many red cars are there?', "SELECT COUNT(*) FROM cars WHERE colour = 'red'"),
  query(FLEET, 'Show the models built in 2021.', 'SELECT model FROM cars WHERE year = 2021'),
  query(FLEET, 'What is the cheapest price of a car?', 'SELECT MIN(price) FROM cars'),
  query(
    FLEET,
    'List all drivers from Norway.',
    "SELECT * FROM drivers WHERE country = 'Norway'",
    "SELECT name FROM drivers WHERE country = 'Norway'",
  ),
  query(
    FLEET,
    'Which models cost less than 9000 and are blue?',
    "SELECT model FROM cars WHERE price < 9000 AND colour = 'blue'",
    "SELECT model FROM cars WHERE colour = 'blue' AND price < 9000",
  ),
  query(
    FLEET,
    'How many cars of each colour are there?',
    'SELECT colour, COUNT(*) FROM cars GROUP BY colour',
  ),
  query(
    FLEET,
    'List the five newest cars.',
    'SELECT * FROM cars ORDER BY year DESC LIMIT 5',
    'SELECT model FROM cars ORDER BY year DESC LIMIT 5',
  ),
]
