/** A rule pack as a folder: its manifest, its rules, its approval templates. */
@NullMarked
package dev.countersign.rules.pack;

import org.jspecify.annotations.NullMarked;
