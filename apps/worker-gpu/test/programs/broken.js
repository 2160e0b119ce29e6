throw new Error('Only whoever names this program imports it');
