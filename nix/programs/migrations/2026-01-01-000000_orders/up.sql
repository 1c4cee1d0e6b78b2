-- What a web application's database does: rows go in, an index is made, and questions are asked that sort, group and join.
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, item TEXT NOT NULL, price REAL NOT NULL);

INSERT INTO customers
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
SELECT i, printf('customer %d', i * 7919 % 20011), printf('city-%d', i * 31 % 97) FROM n;

INSERT INTO orders
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 400000)
SELECT i, 1 + i * 7907 % 20000, printf('item %x', i * 2654435761 % 65536), (i * 7717 % 10000) / 100.0 FROM n;

CREATE INDEX orders_by_customer ON orders (customer, price);

CREATE TABLE totals AS
SELECT city, count(*) AS orders, round(sum(price), 2) AS total, group_concat(DISTINCT substr(item, 1, 6)) AS items
FROM customers JOIN orders ON orders.customer = customers.id
GROUP BY city ORDER BY total DESC;

CREATE TABLE found AS
SELECT upper(item) AS item, replace(item, 'item', 'thing') AS thing, price FROM orders
WHERE item LIKE '%f%' AND price > 20 ORDER BY item, price DESC;

DELETE FROM orders WHERE id % 5 = 0;
