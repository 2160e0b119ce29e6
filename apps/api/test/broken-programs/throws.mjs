throw new Error('there is a comma missing');
