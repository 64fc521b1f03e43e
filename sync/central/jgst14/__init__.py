"""The customs front-end link, JGS/T 14-2015: frames on TCP, the state word, the XML inside."""
