/** Access requests, the reviews of humans, and the approvals that come of them. */
@NullMarked
package dev.countersign.server.approvals;

import org.jspecify.annotations.NullMarked;
