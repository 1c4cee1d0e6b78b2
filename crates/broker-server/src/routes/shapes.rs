//! The shapes of patterns: the positions of their wildcards.
//!
//! A subject can match at most one pattern of each shape, and the subject and the shape determine
//! which one. So the cost of a look-up is bounded by the number of shapes, whatever the number of
//! patterns. The method is known as tuple space search (Srinivasan, Suri and Varghese, "Packet
//! Classification using Tuple Space Search", SIGCOMM 1999). A tree of tokens has no such bound,
//! because it branches at each `*`.

use std::collections::BTreeMap;

/// Most shapes of all connections' patterns. Each shape costs a few additions and a table look-up
/// for each message whose subject is not cached; programs use some dozens.
pub(super) const MOST_SHAPES: usize = 4096;

/// The positions of a pattern's wildcards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// The positions of its `*`, counted in tokens.
    pub(super) stars: Box<[u16]>,
    /// The number of its tokens, without a final `>`.
    pub(super) tokens: u16,
    /// The pattern ends with `>`.
    pub(super) rest: bool,
}

impl Shape {
    /// Returns whether the shape has no wildcard, so the look-up needs no search.
    pub(super) fn is_literal(&self) -> bool {
        !self.rest && self.stars.is_empty()
    }
}

/// The shapes in use, by their number of tokens.
#[derive(Debug, Default)]
pub(super) struct Shapes {
    /// Shapes of patterns that match a fixed number of tokens.
    exact: ByLength,
    /// Shapes of patterns that end with `>`.
    rest: ByLength,
    count: usize,
}

type ByLength = BTreeMap<u16, Vec<(Shape, usize)>>;

impl Shapes {
    fn of(&mut self, shape: &Shape) -> &mut ByLength {
        if shape.rest {
            &mut self.rest
        } else {
            &mut self.exact
        }
    }

    /// Counts another pattern of the shape. Returns whether it is the first one, or `None` if it
    /// would be, and there are too many shapes or `may_add` is false.
    pub(super) fn add(&mut self, shape: &Shape, may_add: bool) -> Option<bool> {
        let full = self.count >= MOST_SHAPES;
        let same_length = self.of(shape).entry(shape.tokens).or_default();
        if let Some((_, users)) = same_length.iter_mut().find(|(known, _)| known == shape) {
            *users += 1;
            return Some(false);
        }
        if full || !may_add {
            if same_length.is_empty() {
                self.of(shape).remove(&shape.tokens);
            }
            return None;
        }
        same_length.push((shape.clone(), 1));
        self.count += 1;
        Some(true)
    }

    /// Counts a pattern of the shape as removed.
    pub(super) fn remove(&mut self, shape: &Shape) {
        let all = self.of(shape);
        let Some(same_length) = all.get_mut(&shape.tokens) else {
            return;
        };
        let Some(index) = same_length.iter().position(|(known, _)| known == shape) else {
            return;
        };
        same_length[index].1 -= 1;
        if same_length[index].1 > 0 {
            return;
        }
        same_length.swap_remove(index);
        if same_length.is_empty() {
            all.remove(&shape.tokens);
        }
        self.count -= 1;
    }

    /// Returns the shapes of patterns that a subject with this number of tokens can match.
    pub(super) fn fitting(&self, tokens: u16) -> impl Iterator<Item = &Shape> {
        let exact = self.exact.get(&tokens).into_iter().flatten();
        let rest = self.rest.range(..tokens).flat_map(|(_, shapes)| shapes);
        exact.chain(rest).map(|(shape, _)| shape)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(stars: &[u16], tokens: u16, rest: bool) -> Shape {
        Shape {
            stars: stars.into(),
            tokens,
            rest,
        }
    }

    #[test]
    fn only_shapes_that_can_match_are_looked_at() {
        let mut shapes = Shapes::default();
        let all = [
            shape(&[1], 2, false),
            shape(&[0], 3, false),
            shape(&[], 0, true),
            shape(&[0], 2, true),
        ];
        for one in &all {
            assert_eq!(shapes.add(one, true), Some(true));
            assert_eq!(shapes.add(one, false), Some(false));
        }
        let fitting = |tokens| shapes.fitting(tokens).cloned().collect::<Vec<_>>();
        assert_eq!(fitting(1), [all[2].clone()]);
        assert_eq!(fitting(2), [all[0].clone(), all[2].clone()]);
        assert_eq!(fitting(3), [all[1].clone(), all[2].clone(), all[3].clone()]);
        for one in &all {
            shapes.remove(one);
            shapes.remove(one);
        }
        assert!(shapes.is_empty() && shapes.exact.is_empty() && shapes.rest.is_empty());
    }

    #[test]
    fn there_are_so_many_shapes_only() {
        let mut shapes = Shapes::default();
        for tokens in 0..MOST_SHAPES {
            let tokens = u16::try_from(tokens).expect("few");
            assert_eq!(shapes.add(&shape(&[], tokens, true), true), Some(true));
        }
        let more = shape(&[0], 1, false);
        assert_eq!(shapes.add(&more, true), None);
        assert_eq!(shapes.add(&shape(&[], 7, true), true), Some(false));
        shapes.remove(&shape(&[], 0, true));
        assert_eq!(shapes.add(&more, false), None);
        assert_eq!(shapes.add(&more, true), Some(true));
    }
}
