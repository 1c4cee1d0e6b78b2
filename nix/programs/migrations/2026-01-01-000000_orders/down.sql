DROP TABLE found; DROP TABLE totals; DROP TABLE orders; DROP TABLE customers;
