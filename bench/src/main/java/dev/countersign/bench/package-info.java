/** Measures the budgets of the design, and breaks a running server to see what it loses. */
@NullMarked
package dev.countersign.bench;

import org.jspecify.annotations.NullMarked;
