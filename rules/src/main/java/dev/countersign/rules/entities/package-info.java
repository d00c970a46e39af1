/** Stored entities: how they are written, which of them a call needs, and those that packs carry. */
@NullMarked
package dev.countersign.rules.entities;

import org.jspecify.annotations.NullMarked;
