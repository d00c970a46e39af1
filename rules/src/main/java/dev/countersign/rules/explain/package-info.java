/** Why rules applied to a request, and why the others did not. */
@NullMarked
package dev.countersign.rules.explain;

import org.jspecify.annotations.NullMarked;
