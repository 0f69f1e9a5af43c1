package agentclient

// What is read from the socket, for the fuzz tests.
var (
	ReadReply   = readReply
	ParseObject = parseObject
	ParseToken  = parseToken
	ParseError  = parseError
)

// LongestReply is the bound of a body.
const LongestReply = longestReply

// LongestSilence is what an agent has for each piece of its answer.
const LongestSilence = longestSilence
