/** The tests of a rule pack: scenarios as its author writes them, how they are run, and what they cover. */
@NullMarked
package dev.countersign.rules.scenarios;

import org.jspecify.annotations.NullMarked;
