/** The safe dialect of DRL: from text to a typed, checked rule, and back to canonical text. */
@NullMarked
package dev.countersign.rules.dialect;

import org.jspecify.annotations.NullMarked;
