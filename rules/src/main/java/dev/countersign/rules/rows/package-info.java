/** Policies that are rows of data: checked when written, compiled into rules, and judged in an immutable table. */
@NullMarked
package dev.countersign.rules.rows;

import org.jspecify.annotations.NullMarked;
