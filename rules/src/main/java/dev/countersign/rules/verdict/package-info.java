/** From what rules said to what it means. */
@NullMarked
package dev.countersign.rules.verdict;

import org.jspecify.annotations.NullMarked;
