/** The wire contract: what goes over HTTP, as plain records. */
@NullMarked
package dev.countersign.api;

import org.jspecify.annotations.NullMarked;
