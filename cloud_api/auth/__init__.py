"""Who is calling: device signatures and enrolment."""
