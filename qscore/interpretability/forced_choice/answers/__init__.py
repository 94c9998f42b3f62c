"""What people said: shares of right answers, how far people agree, and what differs between conditions."""
