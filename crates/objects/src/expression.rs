//! Expressions that both dialects share, translated.
//!
//! An expression comes as the source's catalogue prints it. It is translated if every part of it is known to have the
//! same value in PostgreSQL for every row, and refused with the part that is not: a CHECK that is stricter than the
//! source's would refuse rows, and a default with another value is worse than none.

mod not_shared;
mod operand;
mod tokens;

pub(crate) use operand::{TextEquality, ValueKind, text_equality};

use handoff_schema::TableMapping;
use not_shared::NotShared;
use operand::Operand;
use tokens::{Token, tokens};

/// An expression in PostgreSQL's dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SharedExpression {
    /// Its text.
    pub(crate) sql: String,
    /// The kind of its values.
    pub(crate) kind: ValueKind,
    /// The constant that it is, if it is one.
    pub(crate) constant: Option<String>,
}

/// Translates an expression over the columns of `mapping`.
pub(crate) fn translate(text: &str, mapping: &TableMapping) -> Result<SharedExpression, NotShared> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, mapping };
    let whole = parser.disjunction()?;
    match parser.peek() {
        None => Ok(SharedExpression { sql: whole.sql, kind: whole.kind, constant: whole.constant }),
        Some(token) => Err(unexpected(token)),
    }
}

/// Translates a condition.
pub(crate) fn condition(text: &str, mapping: &TableMapping) -> Result<String, NotShared> {
    let mut parser = Parser { tokens: tokens(text)?, next: 0, mapping };
    let whole = parser.disjunction()?;
    match parser.peek() {
        None => whole.truth(),
        Some(token) => Err(unexpected(token)),
    }
}

fn unexpected(token: &Token) -> NotShared {
    NotShared::new(match token {
        Token::Word(word) => format!("the word {word}"),
        Token::Sign(sign) => format!("the sign {sign}"),
        Token::Name(_) => "a name in an unknown place".to_owned(),
        Token::Text(_) | Token::Number(_) => "a constant in an unknown place".to_owned(),
    })
}

struct Parser<'m> {
    tokens: Vec<Token>,
    next: usize,
    mapping: &'m TableMapping,
}

/// The result of a step of the parser.
type Parsed = Result<Operand, NotShared>;

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(next)) if next == word);
        self.next += usize::from(found);
        found
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Sign(next)) if *next == sign);
        self.next += usize::from(found);
        found
    }

    fn demand_sign(&mut self, sign: &'static str) -> Result<(), NotShared> {
        match self.take_sign(sign) {
            true => Ok(()),
            false => Err(self.peek().map_or_else(NotShared::unclosed, unexpected)),
        }
    }

    fn disjunction(&mut self) -> Parsed {
        let mut left = self.conjunction()?;
        while self.take_word("or") {
            let right = self.conjunction()?;
            left = Operand::truth_of(format!("({} OR {})", left.truth()?, right.truth()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Parsed {
        let mut left = self.negation()?;
        while self.take_word("and") || self.take_sign("&&") {
            let right = self.negation()?;
            left = Operand::truth_of(format!("({} AND {})", left.truth()?, right.truth()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Parsed {
        if self.take_word("not") {
            let negated = self.negation()?.truth()?;
            return Ok(Operand::truth_of(format!("(NOT {negated})")));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Parsed {
        let mut left = self.sum()?;
        loop {
            let signs = ["=", "<>", "!=", "<=", ">=", "<", ">"];
            left = if let Some(sign) = signs.into_iter().find(|sign| self.take_sign(sign)) {
                let right = self.sum()?;
                left.compare(sign, &right)?
            } else if self.take_word("is") {
                self.null_test(&left)?
            } else if self.take_word("not") {
                self.listed(&left, true)?
            } else if matches!(self.peek(), Some(Token::Word(word)) if word == "in" || word == "between")
            {
                self.listed(&left, false)?
            } else {
                return Ok(left);
            };
        }
    }

    fn null_test(&mut self, left: &Operand) -> Parsed {
        let not = if self.take_word("not") { "NOT " } else { "" };
        match self.take_word("null") {
            true => Ok(Operand::truth_of(format!("({} IS {not}NULL)", left.sql))),
            false => Err(self.peek().map_or_else(NotShared::unclosed, unexpected)),
        }
    }

    /// Parses IN and BETWEEN.
    fn listed(&mut self, left: &Operand, not: bool) -> Parsed {
        if self.take_word("between") {
            let low = self.sum()?;
            if !self.take_word("and") {
                return Err(self.peek().map_or_else(NotShared::unclosed, unexpected));
            }
            let high = self.sum()?;
            let (from, to) = (left.compare(">=", &low)?, left.compare("<=", &high)?);
            return Ok(Operand::negated_if(not, format!("({} AND {})", from.sql, to.sql)));
        }
        if !self.take_word("in") {
            return Err(self.peek().map_or_else(NotShared::unclosed, unexpected));
        }
        self.demand_sign("(")?;
        let mut equal = Vec::new();
        loop {
            let item = self.sum()?;
            equal.push(left.compare("=", &item)?.sql);
            if !self.take_sign(",") {
                break;
            }
        }
        self.demand_sign(")")?;
        Ok(Operand::negated_if(not, format!("({})", equal.join(" OR "))))
    }

    fn sum(&mut self) -> Parsed {
        let mut left = self.product()?;
        loop {
            let signs = ["+", "-"];
            let Some(sign) = signs.into_iter().find(|sign| self.take_sign(sign)) else {
                return Ok(left);
            };
            let right = self.product()?;
            left = left.calculate(sign, &right)?;
        }
    }

    fn product(&mut self) -> Parsed {
        let mut left = self.signed()?;
        loop {
            let signs = ["*", "/"];
            let Some(sign) = signs.into_iter().find(|sign| self.take_sign(sign)) else {
                return Ok(left);
            };
            let right = self.signed()?;
            left = left.calculate(sign, &right)?;
        }
    }

    fn signed(&mut self) -> Parsed {
        match self.take_sign("-") {
            true => self.signed()?.negative(),
            false => self.primary(),
        }
    }

    fn primary(&mut self) -> Parsed {
        let Some(token) = self.peek().cloned() else { return Err(NotShared::unclosed()) };
        self.next += 1;
        match token {
            Token::Sign("(") => {
                let inner = self.disjunction()?;
                self.demand_sign(")")?;
                Ok(inner)
            }
            Token::Number(number) => Ok(Operand::number(number)),
            Token::Text(text) => Ok(Operand::text(&text)),
            Token::Name(name) => self.column(&name),
            Token::Word(word) if word == "null" => Ok(Operand::null()),
            Token::Word(word) if self.take_sign("(") => self.call(&word),
            token => Err(unexpected(&token)),
        }
    }

    fn column(&self, name: &str) -> Parsed {
        let wanted = name.to_lowercase();
        let mut columns = self.mapping.columns.iter();
        let found = columns.find(|column| column.source.name.as_str().to_lowercase() == wanted);
        found.map_or_else(|| Err(NotShared::new("an unknown column")), Operand::column)
    }

    fn call(&mut self, function: &str) -> Parsed {
        let shared = match function {
            "char_length" | "character_length" => "char_length",
            "lower" | "lcase" => "lower",
            "upper" | "ucase" => "upper",
            _ => return Err(NotShared::new(format!("the function {function}"))),
        };
        let argument = self.sum()?;
        self.demand_sign(")")?;
        let ValueKind::Text(_) = argument.kind else {
            return Err(NotShared::new(format!("the function {function} of no text")));
        };
        let sql = format!("{shared}({})", argument.sql);
        // PostgreSQL's cases are those of its own locale.
        let kind = match shared {
            "char_length" => ValueKind::Whole,
            _ => ValueKind::Text(TextEquality::Loose),
        };
        Ok(Operand { kind, ..Operand::truth_of(sql) })
    }
}

#[cfg(test)]
mod tests;
