/** Who may review an access request: nobody of the requester's side, and nobody twice. */
@NullMarked
package dev.countersign.server.separation;

import org.jspecify.annotations.NullMarked;
