/**
 * The PostgreSQL that the server keeps its state in: the address of one that is given, or a real PostgreSQL 18 that the
 * server runs itself when none is given, and the migrations and roles of either.
 */
@NullMarked
package dev.countersign.server.postgres;

import org.jspecify.annotations.NullMarked;
