function connect(): never {
  throw new Error("no database here")
}

export default connect()
