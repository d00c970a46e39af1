/** Policies that are rows of a table: how they are stored, and how they are written as JSON. */
@NullMarked
package dev.countersign.server.rows;

import org.jspecify.annotations.NullMarked;
