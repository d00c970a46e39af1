/** One decision, from a call to a logged verdict and its words on the wire. */
@NullMarked
package dev.countersign.server.decision;

import org.jspecify.annotations.NullMarked;
