/** The one way by which this server calls others: only where its operator allows it, and never where a name was bent to. */
@NullMarked
package dev.countersign.server.egress;

import org.jspecify.annotations.NullMarked;
