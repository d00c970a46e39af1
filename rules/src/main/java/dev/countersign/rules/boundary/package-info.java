/** Requests at the boundaries of what rules say: what a change changes, what conflicts, what never happens. */
@NullMarked
package dev.countersign.rules.boundary;

import org.jspecify.annotations.NullMarked;
