/** From checked rules to a knowledge base, and one evaluation in it. */
@NullMarked
package dev.countersign.rules.engine;

import org.jspecify.annotations.NullMarked;
